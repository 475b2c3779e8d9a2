#!/usr/bin/env python3
"""Stands in for the aws command in the tests of up.sh and down.sh: an account in a JSON file, and a list of what was called.

$FAKE_AWS is the file. Its keys: stacks {name: {status, tags, csr}}, calls [[word, ...]], refusals {"service operation": complaint},
deploy_fails {stack: [event, ...]}, region, endpoint, certificate (instead of the one that the request asks for).
The complaints are worded as awscli 2.9 words them.
"""

import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile

FILE = pathlib.Path(os.environ["FAKE_AWS"])
account = json.loads(FILE.read_text())


def leave(code, out="", err=""):
    FILE.write_text(json.dumps(account))
    sys.stdout.write(out + "\n" if out else "")
    sys.stderr.write("\n" + err + "\n" if err else "")
    sys.exit(code)


def option(name, count=1):
    place = sys.argv.index(name) + 1
    return sys.argv[place] if count == 1 else sys.argv[place:]


def missing(name):
    leave(254, err="An error occurred (ValidationError) when calling the DescribeStacks operation: "
          f"Stack with id {name} does not exist")


def pairs(words):
    """KEY=VALUE words up to the next option."""
    found = {}
    for word in words:
        if word.startswith("--"):
            break
        key, _, value = word.partition("=")
        found[key] = value
    return found


def certificate(csr):
    """What some authority makes of the request."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "csr").write_text(csr)
        for words in (["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt"],
                      ["x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "1", "-out", "crt"]):
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
        return pathlib.Path(folder, "crt").read_text()


def identity(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def describe_stacks():
    stacks = account["stacks"]
    if "--stack-name" not in sys.argv:
        leave(0, json.dumps({"Stacks": [{"StackName": name, "StackStatus": stack["status"], "Tags": [
            {"Key": key, "Value": value} for key, value in stack["tags"].items()]} for name, stack in stacks.items()]}))
    name = option("--stack-name")
    if name not in stacks:
        missing(name)
    if "StackStatus" in option("--query"):
        leave(0, stacks[name]["status"])
    leave(0, identity(stacks[name]["certificate"]))


def deploy():
    name = option("--stack-name")
    tags = pairs(option("--tags", 0))
    csr = pairs(option("--parameter-overrides", 0))["Csr"] if "--parameter-overrides" in sys.argv else ""
    if name in account.get("deploy_fails", {}):
        account["stacks"][name] = {"status": "ROLLBACK_COMPLETE", "tags": tags}
        leave(255, "Waiting for changeset to be created..", f"Failed to create/update the stack. Run the following command\n"
              f"to fetch the list of events leading up to the failure\naws cloudformation describe-stack-events --stack-name {name}")
    stack = account["stacks"].setdefault(name, {"tags": tags})
    stack["status"] = "CREATE_COMPLETE"
    if csr and stack.get("csr") != csr:
        stack["csr"], stack["certificate"] = csr, account.get("certificate") or certificate(csr)
    leave(0, f"Successfully created/updated stack - {name}")


def describe_stack_resource():
    name = option("--stack-name")
    pem = account["stacks"][name].get("certificate")
    if not pem:
        leave(254, err=f"An error occurred (ValidationError) when calling the DescribeStackResource operation: Resource Certificate "
              f"does not exist for stack {name}")
    leave(0, identity(pem))


def answer():
    call = " ".join(sys.argv[1:3])
    if call == "configure get":
        leave(0 if account.get("region") else 1, account.get("region", ""))
    account["calls"].append(sys.argv[1:])
    if call in account.get("refusals", {}):
        leave(254, err=account["refusals"][call])
    if call == "cloudformation describe-stacks":
        describe_stacks()
    elif call == "cloudformation deploy":
        deploy()
    elif call == "cloudformation describe-stack-resource":
        describe_stack_resource()
    elif call == "cloudformation describe-stack-events":
        leave(0, json.dumps({"StackEvents": account["deploy_fails"][option("--stack-name")]}))
    elif call == "cloudformation delete-stack":
        account["stacks"].pop(option("--stack-name"), None)
    elif call == "iot describe-certificate":
        pems = [stack["certificate"] for stack in account["stacks"].values() if "certificate" in stack]
        leave(0, next(pem.strip() for pem in pems if identity(pem) == option("--certificate-id")))
    elif call == "iot describe-endpoint":
        leave(0, account.get("endpoint", "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com"))
    elif call not in ("cloudformation wait", "iot update-thing", "iot update-certificate"):
        leave(252, err=f"the stand-in for aws knows no {call}")
    leave(0)


answer()
