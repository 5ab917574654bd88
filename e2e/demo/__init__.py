"""The main job, played on a real cluster: presage scaling a real function ahead of a real load."""
