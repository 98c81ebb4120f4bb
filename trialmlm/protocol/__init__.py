"""The protocol file: its types, its loader, its JSON Schema."""

from trialmlm.protocol.json_schema import json_schema
from trialmlm.protocol.load import load_protocol, protocol_from
from trialmlm.protocol.schema import Protocol

__all__ = ["Protocol", "json_schema", "load_protocol", "protocol_from"]
