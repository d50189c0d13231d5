"""Training in the background: a job from the button to the verdict, in a process of its own."""
