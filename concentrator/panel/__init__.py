"""The front of the box: its lights, its button, its outputs and inputs."""
