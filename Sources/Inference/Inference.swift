// The module's first file; see ARCHITECTURE.md for what belongs here.
