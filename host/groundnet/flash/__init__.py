"""From a blank board to a device: base image, application, and the tray that does it to many at once."""
