"""What people see of one box: its pages, and the same by REST."""
