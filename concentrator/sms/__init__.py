"""Short messages: alarms to some telephones, and orders from them. Two drivers for modems, one set of rules."""
