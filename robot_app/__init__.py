"""The application: window, command line, recorder."""
