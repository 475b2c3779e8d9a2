#!/usr/bin/env python3
"""Writes mosquitto's ACL that allows what the template's policy allows. usage: acl.py TEMPLATE [PROVISIONING]

mosquitto knows a client by its certificate's name, %u, where AWS knows its thing. Receiving covers subscribing there. The user
"subscriber" is the cloud: rules, shadows, jobs. The user "claim" may what PROVISIONING's policy allows, for the template "fleet".
"""

import pathlib
import sys

from template import Stack

ACCESS = {"iot:Publish": "write", "iot:Receive": "read"}


def listed(value):
    return value if isinstance(value, list) else [value]


def topic_of(resource):
    """arn:...:topic/a/${thing}/b/* as a/%u/b/#"""
    topic = resource.split(":topic/", 1)[1].replace("${iot:Connection.Thing.ThingName}", "%u")
    topic = "/".join("+" if part == "*" else part for part in topic.split("/"))
    return topic[:-1] + "#" if topic.endswith("/+") else topic


def lines(policy, rule):
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow", "a mosquitto ACL cannot deny"
        for action in listed(statement["Action"]):
            if action in ACCESS:
                for resource in listed(statement["Resource"]):
                    yield f"{rule} {ACCESS[action]} {topic_of(resource)}"


def policy_of(template, name):
    stack = Stack(pathlib.Path(template).read_text(encoding="utf-8"), name)
    (policy,) = stack.resources("AWS::IoT::Policy").values()
    return policy["PolicyDocument"]


def main():
    print("user subscriber\ntopic readwrite glimpse/#\ntopic readwrite $aws/#\n")
    for provisioning in sys.argv[2:]:
        print("user claim", *lines(policy_of(provisioning, "fleet"), "topic"), "", sep="\n")
    print(*lines(policy_of(sys.argv[1], "glimpse"), "pattern"), sep="\n")


if __name__ == "__main__":
    main()
