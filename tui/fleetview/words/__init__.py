"""Words that are typed, in a shell or in the dashboard, become what is asked for."""
