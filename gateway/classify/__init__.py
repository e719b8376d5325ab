"""What a call is, before anybody chooses: tokens, images, needs, signals and difficulty."""
