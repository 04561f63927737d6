"""What can be asked of the box, once: every action with its name, arguments, permission and callable."""
