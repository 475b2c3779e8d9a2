"""The figures for people."""


def text(figures):
    devices, cores, memory = figures["devices"], figures["cores_used"], figures["memory_mib"]
    made, seconds = figures["made"], figures["seconds"]
    busy_ms = 1000 * cores["devices"] * seconds / made
    delay = figures["delay_ms"]

    def percent(share):
        return f"{100 * share:.0f} %"

    rows = [
        ("devices", f"{devices:,} in {figures['processes']:,} processes: {figures['threads'] / devices:.1f} threads, "
                    f"{figures['files'] / devices:.1f} open files each"),
        ("connected", f"{figures['connected']:,} in {figures['connecting_s']:.1f} s; CPU each: "
                      f"{1000 * figures['connecting_cpu_s']['devices'] / devices:.1f} ms here, "
                      f"{1000 * figures['connecting_cpu_s']['broker'] / devices:.1f} ms in the broker; {sum(figures['warnings'].values())} warnings"),
        ("records", f"{made:,} made, {figures['received']:,} received, {figures['acknowledged']:,} acknowledged; "
                    f"{figures['lost']:,} lost, {figures['twice']:,} twice, {figures['strange']:,} strange, {figures['dropped']:,} dropped"),
        ("rate", f"{figures['records_per_s']:,.1f} records/s of {figures['record_bytes']:,} bytes for {seconds:.1f} s"),
        ("delay", f"from made to received: {delay['median']} ms median, {delay['p99']} ms 99 %, {delay['max']} ms at most"),
        ("CPU", f"of one core: devices {percent(cores['devices'])} ({busy_ms:.2f} ms a record), broker {percent(cores['broker'])}, "
                f"subscriber {percent(cores['subscriber'])}, all else on this machine {percent(cores['others'])}"),
        ("wake-ups", f"{figures['wakeups_per_s'] / devices:.1f} a device and second"),
        ("memory", f"a device {memory['devices']['rss'] / devices:.2f} MiB RSS, {memory['devices']['private'] / devices:.2f} MiB private; "
                   f"broker {memory['broker']['rss']:.1f} MiB"),
        ("state", figures["state"]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)
