#include "device/service_status.hpp"

#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace glimpse {
namespace {

constexpr std::uint64_t patience_us = 1'000'000;

struct Free {
  void operator()(char* text) const { std::free(text); }
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using Text = std::unique_ptr<char, Free>;

}  // namespace

std::string service_status(pid_t pid) {
  char* got = nullptr;
  if (sd_pid_get_unit(pid, &got) < 0) return "";
  const Text unit(got);
  sd_bus* opened = nullptr;
  if (sd_bus_open_system(&opened) < 0) return "";
  const std::unique_ptr<sd_bus, Free> bus(opened);
  sd_bus_set_method_call_timeout(bus.get(), patience_us);
  if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.get(), &got) < 0) return "";
  const Text path(got);
  if (sd_bus_get_property_string(bus.get(), "org.freedesktop.systemd1", path.get(),
                                 "org.freedesktop.systemd1.Service", "StatusText", nullptr, &got) < 0)
    return "";
  return Text(got).get();
}

}  // namespace glimpse
