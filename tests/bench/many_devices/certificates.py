"""A key and a certificate of its own for each device, signed by the authority of scripts/broker.sh."""

import concurrent.futures
import os
import secrets
import subprocess
import time

from model_export.problem import UNAVAILABLE, Problem

DAYS = 825
EXTENSIONS = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
AT_ONCE = 200  # for one openssl to check


def make_missing(folder, names, progress):
    """In `folder`/devices; those of an earlier run that are still good stay. Seconds for a thousand."""
    extensions = folder / "device.ext"
    extensions.write_text(EXTENSIONS)
    missing = sorted(set(names) - good(folder, names))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(lambda name: make(folder, name, extensions), missing), 1):
            progress.now(f"certificates: {done} of {len(missing)}")


def good(folder, names):
    """The names whose certificate this authority signed and lasts."""
    found = set()
    names = [name for name in names if (folder / "devices" / f"{name}.key").is_file()]
    for at in range(0, len(names), AT_ONCE):
        files = {str(folder / "devices" / f"{name}.crt"): name for name in names[at : at + AT_ONCE]}
        tomorrow = str(int(time.time()) + 86400)
        done = subprocess.run(["openssl", "verify", "-attime", tomorrow, "-CAfile", folder / "ca.crt", *files],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        found |= {files[line.removesuffix(": OK")] for line in done.stdout.splitlines() if line.endswith(": OK")}
    return found


def make(folder, name, extensions):
    path = folder / "devices" / name
    request = run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                  "-keyout", f"{path}.key")
    run("x509", "-req", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-days", str(DAYS), "-set_serial",
        "0x" + secrets.token_hex(16), "-extfile", extensions, "-out", f"{path}.crt", given=request)


def run(*arguments, given=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True)
    if done.returncode:
        raise Problem(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}", UNAVAILABLE)
    return done.stdout
