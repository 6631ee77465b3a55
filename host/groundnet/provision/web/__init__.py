"""The counter's page: served to this computer alone, whole without the internet."""
