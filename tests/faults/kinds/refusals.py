"""Servers that are not to be trusted, and keys that are not private: refused, each with its own words."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from counting import Ledger
from devices import Glimpse
from harness import CLIP, DEMO, GLIMPSE, ROOT, free_port, wait_until
from outcome import Fault
from stage import in_parallel

# What was refused, and the words that tell it from the others.
TLS = {
    "wrong host": r"another host",
    "expired": r"expired at",
    "not yet valid": r"not valid before",
    "unknown CA": r"not signed by",
    "self-signed": r"not signed by|self-signed",
    "no client cert": r"demands a client certificate",
    "TLS 1.1": r"TLS.*1\.2",
}
SERVER = {"wrong host": "server-other-host", "expired": "server-expired", "not yet valid": "server-future", "self-signed": "self-signed"}
WARNING = re.compile(r" warning: telemetry: (.*)")


def play_tls(task, outcome):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-faults-"))
    try:
        subprocess.run([ROOT / "tests" / "integration" / "make_certs.sh", folder], check=True, stdin=subprocess.DEVNULL)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout", folder / "self-signed.key",
                        "-out", folder / "self-signed.crt"], check=True, capture_output=True)
        told = in_parallel([lambda what=what: one_server(task, folder, what) for what in TLS])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    outcome.count = len(TLS)
    for (what, words), (warning, connected) in zip(TLS.items(), told):
        outcome.promise(not connected, f"{what}: the broker let it in")
        outcome.promise(re.search(words, warning), f'{what}: it said "{warning}"')
    reasons = [re.sub(r"localhost:\d+|/\S+", "", warning) for warning, _ in told]
    outcome.figures["refused"] = sum(not connected for _, connected in told)
    outcome.figures["different_words"] = len(set(reasons))
    outcome.promise(len(set(reasons)) == len(TLS), "two refusals have the same words")


def one_server(task, folder, what):
    """What glimpse says of it first, and whether the server saw an MQTT client."""
    port, name = free_port(), what.replace(" ", "-").replace(".", "-")
    log = folder / f"{name}.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(list(map(str, server_command(folder, what, name, port))), stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: re.search(r" running|ACCEPT", log.read_text(errors="replace")), f"the server of {what}", 60)
        options = ["--broker", f"mqtts://localhost:{port}", "--ca", folder / ("other-ca.crt" if what == "unknown CA" else "ca.crt")]
        if what != "no client cert":
            options += ["--cert", folder / "device.crt", "--key", folder / "device.key"]
        device = Glimpse("test-device", Ledger(), folder / "state" / name, options)
        device.state.mkdir(parents=True, mode=0o700)
        device.start("--fps", 5, "--interval", "200ms")
        try:
            device.wait(lambda: any(WARNING.search(line) for line in device.errors), f"words on {what}")
            device.terminate()
        finally:
            device.close()
        task.one_done(what)
        warning = next(filter(None, map(WARNING.search, device.errors)))[1]
        return warning, "New client connected" in log.read_text(errors="replace")
    finally:
        server.kill()
        server.wait()


def server_command(folder, what, name, port):
    if what == "TLS 1.1":
        return ["openssl", "s_server", "-accept", port, "-cert", folder / "server.crt", "-key", folder / "server.key", "-www", "-tls1_1",
                "-cipher", "ALL:@SECLEVEL=0"]
    certificate = folder / SERVER.get(what, "server")
    configuration = folder / f"{name}.conf"
    configuration.write_text(f"user {os.environ.get('USER', 'root') if os.getuid() else 'root'}\nlistener {port} 127.0.0.1\n"
                             f"cafile {folder}/ca.crt\ncertfile {certificate}.crt\nkeyfile {certificate}.key\n"
                             "require_certificate true\nallow_anonymous true\nlog_dest stderr\n")
    return ["env", f"PATH={os.environ['PATH']}:/usr/sbin", "mosquitto", "-c", configuration]


ACCEPTED_MODES = (0o400, 0o600)


def play_keys(task, outcome):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-faults-"))
    try:
        subprocess.run([ROOT / "tests" / "integration" / "make_certs.sh", folder], check=True, stdin=subprocess.DEVNULL)
        modes = list(range(0o400, 0o1000)) if task.full else sorted({*ACCEPTED_MODES, *range(0o404, 0o1000, 0o31)})
        cases = [(f"mode {mode:04o}", mode in ACCEPTED_MODES, mode_of(mode)) for mode in modes]
        cases += [("a folder that others may write", False, open_folder), ("a symlink to a key that others may read", False, linked(0o644)),
                  ("a symlink to a private key", False, linked(0o600))]
        if os.getuid() == 0:
            cases.append(("of another owner", False, owned_by(65534)))
        else:
            outcome.figures["other_owner"] = "not run: needs root"
        task.count = outcome.count = len(cases)
        halves = [cases[0::2], cases[1::2]]
        in_parallel([lambda lane=lane, mine=mine: [one_key(task, outcome, folder, lane, *case) for case in mine]
                     for lane, mine in enumerate(halves)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def one_key(task, outcome, folder, lane, what, accepted, prepare):
    place = folder / f"lane-{lane}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    shutil.copy(folder / "device.key", place / "device.key")
    key = prepare(place, place / "device.key")
    done = subprocess.run([GLIMPSE, "run", "--model", DEMO, "--source", CLIP, "--frames", "1", "--backend", "xnnpack", "--json", "--state",
                           folder / f"state-{lane}", "--broker", f"mqtts://localhost:{free_port()}", "--ca", folder / "ca.crt", "--cert",
                           folder / "device.crt", "--key", key], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    with task.lock:
        outcome.figures["accepted"] = outcome.figures.get("accepted", 0) + (done.returncode == 0)
        outcome.promise(done.returncode == (0 if accepted else 77), f"a key, {what}: exit status {done.returncode}, {said}")
    task.one_done()


def mode_of(mode):
    def prepare(_, key):
        key.chmod(mode)
        return key

    return prepare


def open_folder(place, key):
    key.chmod(0o600)
    place.chmod(0o777)
    return key


def linked(mode):
    def prepare(place, key):
        key.chmod(mode)
        link = place / "link.key"
        link.symlink_to(key)
        return link

    return prepare


def owned_by(user):
    def prepare(_, key):
        key.chmod(0o600)
        os.chown(key, user, user)
        return key

    return prepare


FAULTS = [
    Fault("tls", "servers not to be trusted: 7 refused, each with its own words", full=7, short=7, wave=3, play=play_tls),
    Fault("keys", "keys of mode 0400 to 0777, linked, of another owner: only 0400 and 0600 of our own or root's are taken",
          full=260, short=16, wave=3, play=play_keys),
]
