"""Load forecasting; `api` is the one public entry."""
