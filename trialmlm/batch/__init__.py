"""From a protocol and a folder of data to a folder of outputs: the room that knows every other."""
