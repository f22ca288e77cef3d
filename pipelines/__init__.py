"""The reference project's code location: jobs, schedules and sensors over the assets, and the demo."""
