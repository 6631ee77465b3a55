"""The end of the line: every board measured by the same sequence, each with a verdict, and what the numbers say."""
