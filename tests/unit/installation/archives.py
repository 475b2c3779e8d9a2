#!/usr/bin/env python3
"""Writes tar files of a model, good and bad, into a folder. usage: archives.py FOLDER"""

import hashlib
import io
import json
import pathlib
import sys
import tarfile

out = pathlib.Path(sys.argv[1])
FLOAT, INT8 = b"float" * 1000, b"int8" * 1000


def sha256(data):
    return hashlib.sha256(data).hexdigest()


MANIFEST = json.dumps({"labels": ["a", "b"], "files": {"float.pt": {"sha256": sha256(FLOAT)}, "int8.pt": {"sha256": sha256(INT8)}}}).encode()
MODEL = {"manifest.json": MANIFEST, "float.pt": FLOAT, "int8.pt": INT8}


def entry(name, kind=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def write(name, files, *others, mode="w", form=tarfile.PAX_FORMAT):
    with tarfile.open(out / name, mode, format=form) as tar:
        for path, data in files.items() if isinstance(files, dict) else files:
            tar.addfile(entry(path, size=len(data)), io.BytesIO(data))
        for info in others:
            tar.addfile(info)
    return (out / name).read_bytes()


def below(folder, names=("manifest.json", "float.pt", "int8.pt")):
    return {folder + name: MODEL[name] for name in names}


good = write("good.tar", MODEL)
write("good.tar.gz", MODEL, mode="w:gz")
write("folder.tar", below("birds/"), entry("birds/", tarfile.DIRTYPE))
write("dot.tar", below("./"), entry("./", tarfile.DIRTYPE))
write("dot_folder.tar", below("./birds/"))
write("gnu.tar", MODEL, form=tarfile.GNU_FORMAT)
write("ustar.tar", MODEL, form=tarfile.USTAR_FORMAT)
write("float.tar", below("", ("manifest.json", "float.pt")))
write("int8.tar", below("", ("manifest.json", "int8.pt")))

write("parent.tar", {**MODEL, "../float.pt": FLOAT})
write("parent_folder.tar", {"../manifest.json": MANIFEST, "../float.pt": FLOAT})
write("absolute.tar", {"/manifest.json": MANIFEST, "/float.pt": FLOAT})
write("deep.tar", below("a/b/"))
write("inside_out.tar", below("a/../"))
write("two_folders.tar", {"a/manifest.json": MANIFEST, "b/float.pt": FLOAT})
write("other_file.tar", {**MODEL, "run.sh": b"rm -rf /"})
write("other_folder.tar", MODEL, entry("..", tarfile.DIRTYPE))
write("symlink.tar", {"manifest.json": MANIFEST}, entry("float.pt", tarfile.SYMTYPE, linkname="/etc/passwd"))
write("hardlink.tar", {"manifest.json": MANIFEST}, entry("float.pt", tarfile.LNKTYPE, linkname="/etc/passwd"))
write("device.tar", {"manifest.json": MANIFEST}, entry("float.pt", tarfile.CHRTYPE, devmajor=1, devminor=5))
write("fifo.tar", {"manifest.json": MANIFEST}, entry("float.pt", tarfile.FIFOTYPE))
write("folder_named_so.tar", {"manifest.json": MANIFEST}, entry("a/float.pt", tarfile.DIRTYPE))
write("twice.tar", [*MODEL.items(), ("./float.pt", INT8)])
write("no_manifest.tar", below("", ("float.pt", "int8.pt")))
write("no_model.tar", below("", ("manifest.json",)))
write("empty.tar", {})
write("newline.tar", {"a\nb": b""})
write("zeros.tar.gz", {"manifest.json": MANIFEST, "float.pt": bytes(4 << 20)}, mode="w:gz")
write("huge.tar", {"manifest.json": MANIFEST}, entry("float.pt", size=1 << 40))  # and no byte of it
write("wrong_manifest.tar", {"manifest.json": MANIFEST, "float.pt": INT8})
write("no_json.tar", {"manifest.json": b"{", "float.pt": FLOAT})
(out / "truncated.tar").write_bytes(good[: 512 + 1024 + 700])
(out / "truncated.tar.gz").write_bytes((out / "good.tar.gz").read_bytes()[:-100])
(out / "nothing.tar").write_bytes(b"")
(out / "noise.tar").write_bytes(bytes(range(256)) * 40)
(out / "zip.tar").write_bytes(b"PK\x03\x04" + bytes(2000))
damaged = bytearray(good)
damaged[520:540] = b"\xff" * 20
damaged[0:20] = b"\xff" * 20
(out / "damaged.tar").write_bytes(bytes(damaged))
