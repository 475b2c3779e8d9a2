"""Says whether an AWS IoT policy allows an action, as AWS IoT does.

Allowed is what a statement allows and none denies. In resources * is any text, ? any character; MQTT's + and # are only characters.
A statement with a variable that has no value matches nothing.
https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html, .../pub-sub-policy.html, .../thing-policy-variables.html
"""

import re

THING_NAME, IS_ATTACHED, CONNECT_ATTRIBUTES = "iot:Connection.Thing.ThingName", "iot:Connection.Thing.IsAttached", "iot:ConnectAttributes"


def context(client, attached=True, attributes=()):
    """What AWS knows of a connection. A thing is known by the client id, and only where its certificate is attached to it."""
    values = {"iot:ClientId": client, IS_ATTACHED: str(attached).lower(), CONNECT_ATTRIBUTES: list(attributes)}
    return {**values, THING_NAME: client} if attached else values


def is_allowed(policy, action, resource, values):
    effects = {statement["Effect"] for statement in policy["Statement"] if _applies(statement, action, resource, values)}
    return effects == {"Allow"}


def _applies(statement, action, resource, values):
    unknown = set(statement) - {"Effect", "Action", "Resource", "Condition", "Sid"}
    if unknown or statement["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"not known here: {unknown or statement['Effect']}")
    return (any(_matches(pattern, action) for pattern in _listed(statement["Action"]))
            and any(_matches(filled, resource) for pattern in _listed(statement["Resource"])
                    if (filled := _filled(pattern, values)) is not None)
            and all(_holds(operator, key, _listed(wanted), values) for operator, keys in statement.get("Condition", {}).items()
                    for key, wanted in keys.items()))


def _listed(value):
    return value if isinstance(value, list) else [value]


def _filled(pattern, values):
    """The pattern with its variables replaced, or None. A value is no pattern: its own * and ? are escaped."""
    names = re.findall(r"\$\{([^}]+)\}", pattern)
    if any(name not in values for name in names):
        return None
    return re.sub(r"\$\{([^}]+)\}", lambda found: re.sub(r"[*?]", lambda sign: f"[{sign[0]}]", values[found[1]]), pattern)


def _matches(pattern, text):
    signs = re.findall(r"\[[*?]\]|.", pattern, re.S)
    expression = "".join(re.escape(sign[1]) if len(sign) == 3 else {"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in signs)
    return re.fullmatch(expression, text, re.S) is not None


def _holds(operator, key, wanted, values):
    wanted = [str(value) for value in wanted]
    if operator == "Bool":
        return values.get(key) in wanted
    if operator == "ForAllValues:StringEquals":
        return all(value in wanted for value in values.get(key, []))
    raise ValueError(f"not known here: the condition {operator}")
