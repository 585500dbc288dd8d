"""Care scenes in PyBullet: a person, a robot arm, furniture and a tool."""
