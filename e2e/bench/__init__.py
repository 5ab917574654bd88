"""What the operator costs and how fast it is, measured on a real control plane: `python -m e2e.bench --help`."""
