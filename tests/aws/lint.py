#!/usr/bin/env python3
"""Checks a CloudFormation template against AWS's own description of its resources. usage: lint.py TEMPLATE...

The description is that of AWS's CDK (@aws-cdk/aws-service-spec from npm): types, required properties, allowed values, attributes.
Besides: names that are not there, circles, conditions that do not go together, CloudFormation's limits.
"""

import gzip
import json
import pathlib
import re
import subprocess
import sys

from needs import SCRIPTS, leave_out
from template import SHORT, load

SECTIONS = {"AWSTemplateFormatVersion", "Description", "Parameters", "Rules", "Conditions", "Resources", "Outputs", "Metadata", "Mappings"}
ENTRY = {"Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
PARAMETER = {"Type", "Default", "AllowedPattern", "AllowedValues", "Description", "MinValue", "MaxValue", "MinLength", "MaxLength", "NoEcho",
             "ConstraintDescription"}
PSEUDO = {"AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::StackName", "AWS::StackId", "AWS::URLSuffix", "AWS::NoValue"}
PLAIN = {"string": (str, int, float), "number": (int, float), "integer": (int,), "boolean": (bool,), "date-time": (str,)}


class Specification:
    def __init__(self):
        done = subprocess.run([SCRIPTS / "rehearsal" / "install.sh"], capture_output=True, text=True, check=False)
        if done.returncode:
            leave_out(done.stderr.strip())
        packed = pathlib.Path(done.stdout.strip()) / "@aws-cdk" / "aws-service-spec" / "db.json.gz"
        schema = json.loads(gzip.decompress(packed.read_bytes()))["schema"]
        self.resources = {entry["cloudFormationType"]: entry for entry in schema["resource"]["entities"]}
        self.types = {entry["$id"]: entry for entry in schema["typeDefinition"]["entities"]}


def functions(value):
    """Every function in a value, however deep, as (name, argument)."""
    if isinstance(value, list):
        for item in value:
            yield from functions(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in SHORT.values() and len(value) == 1:
                yield key, item
            yield from functions(item)


def names(value):
    """What a value refers to, as (name, attribute or None)."""
    for function, argument in functions(value):
        if function == "Ref":
            yield argument, None
        elif function == "Fn::GetAtt":
            yield argument[0], argument[1]
        elif function == "Fn::Sub":
            for name in re.findall(r"\$\{([^!}][^}]*)\}", argument):
                yield (name, None) if name.startswith("AWS::") or "." not in name else tuple(name.split(".", 1))


class Lint:
    def __init__(self, text, specification):
        self.spec, self.complaints = specification, []
        self.template = load(text)
        self.resources = self.template.get("Resources", {})
        self.parameters = self.template.get("Parameters", {})
        if len(text.encode()) > 51200:
            self.say("the template", "is over 51,200 bytes: aws cloudformation deploy would want a bucket")
        if len(self.template.get("Description", "")) > 1024:
            self.say("Description", "is over 1024 characters")
        self.known_keys("the template", self.template, SECTIONS)
        self.check_parameters()
        self.check_conditions()
        for name, entry in self.resources.items():
            self.check_resource(name, entry)
        for name, output in self.template.get("Outputs", {}).items():
            self.check_names(f"Outputs.{name}", output, output.get("Condition"))
        self.check_circles()

    def say(self, place, words):
        self.complaints.append(f"{place}: {words}")

    def known_keys(self, place, entry, known):
        for key in set(entry) - known:
            self.say(place, f"there is no {key}")

    def check_parameters(self):
        used = {name for name, _ in names(self.template)}
        for name, entry in self.parameters.items():
            self.known_keys(f"Parameters.{name}", entry, PARAMETER)
            if name not in used:
                self.say(f"Parameters.{name}", "is not used")
            default, pattern = entry.get("Default"), entry.get("AllowedPattern")
            if default is not None and pattern and not re.fullmatch(pattern, str(default)):
                self.say(f"Parameters.{name}", f"its default {default!r} is not allowed by its own pattern")

    def check_conditions(self):
        conditions = self.template.get("Conditions", {})
        for name, value in [*conditions.items(), *self.template.get("Rules", {}).items()]:
            for referred, _ in names(value):
                if referred not in self.parameters and referred not in PSEUDO:
                    self.say(name, f"{referred} is no parameter")
        used = {entry.get("Condition") for entry in [*self.resources.values(), *self.template.get("Outputs", {}).values()]} - {None}
        for name in used - set(conditions):
            self.say(name, "there is no such condition")

    def check_resource(self, name, entry):
        self.known_keys(name, entry, ENTRY)
        described = self.spec.resources.get(entry.get("Type"))
        if not described:
            self.say(name, f"there is no type {entry.get('Type')}")
            return
        for key in ("DeletionPolicy", "UpdateReplacePolicy"):
            if entry.get(key, "Retain") not in ("Retain", "Delete", "Snapshot"):
                self.say(name, f"{key} {entry[key]} is not known")
        for other in [entry["DependsOn"]] if isinstance(entry.get("DependsOn"), str) else entry.get("DependsOn", []):
            if other not in self.resources:
                self.say(name, f"depends on {other}, which is not there")
        self.check_properties(name, entry.get("Properties", {}), described["properties"])
        self.check_names(name, entry.get("Properties", {}), entry.get("Condition"))

    def check_properties(self, place, given, described):
        if not isinstance(given, dict):
            self.say(place, f"expected an object, got {given!r}")
            return
        for key, entry in described.items():
            if entry.get("required") and key not in given:
                self.say(place, f"{key} is missing")
        for key, value in given.items():
            if key in described:
                self.check_value(f"{place}.{key}", value, described[key]["type"])
            else:
                self.say(place, f"there is no property {key}")

    def check_value(self, place, value, kind):
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in SHORT.values():
            if kind["type"] in ("array", "map", "tag"):
                self.say(place, "a function gives text here, no list or object")
        elif kind["type"] in PLAIN:
            if not isinstance(value, PLAIN[kind["type"]]) or isinstance(value, bool) != (kind["type"] == "boolean"):
                self.say(place, f"expected a {kind['type']}, got {value!r}")
            elif "allowedValues" in kind and value not in kind["allowedValues"]:
                self.say(place, f"{value} is none of {', '.join(map(str, kind['allowedValues']))}")
        elif kind["type"] == "array":
            if not isinstance(value, list):
                self.say(place, f"expected a list, got {value!r}")
                return
            for index, item in enumerate(value):
                self.check_value(f"{place}[{index}]", item, kind["element"])
        elif kind["type"] == "ref":
            self.check_properties(place, value, self.spec.types[kind["reference"]["$ref"]]["properties"])
        elif kind["type"] == "union":
            self.check_union(place, value, kind["types"])

    def check_union(self, place, value, kinds):
        """One of the kinds must take it; else what the last says."""
        for kind in kinds:
            before = len(self.complaints)
            self.check_value(place, value, kind)
            if len(self.complaints) == before:
                return
            new, self.complaints = self.complaints[before:], self.complaints[:before]
        self.complaints += new

    def check_names(self, place, value, condition):
        for name, attribute in names(value):
            if name in PSEUDO or (name in self.parameters and attribute is None):
                continue
            if name not in self.resources:
                self.say(place, f"{name} is not there")
                continue
            described = self.spec.resources.get(self.resources[name].get("Type"), {})
            if attribute and attribute not in described.get("attributes", {}):
                self.say(place, f"{name} has no attribute {attribute}")
            if self.resources[name].get("Condition") not in (None, condition):
                self.say(place, f"{name} may not be there: its condition is {self.resources[name]['Condition']}, not {condition}")

    def check_circles(self):
        on = {name: {other for other, _ in names(entry) if other in self.resources} for name, entry in self.resources.items()}
        while free := [name for name, others in on.items() if not others]:
            for name in free:
                del on[name]
            on = {name: others - set(free) for name, others in on.items()}
        if on:
            self.say("Resources", f"each waits for another: {', '.join(sorted(on))}")


def main():
    specification = Specification()
    bad = False
    for path in map(pathlib.Path, sys.argv[1:]):
        complaints = Lint(path.read_text(encoding="utf-8"), specification).complaints
        print("\n".join(f"{path}: {complaint}" for complaint in complaints or ["clean"]))
        bad = bad or bool(complaints)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
