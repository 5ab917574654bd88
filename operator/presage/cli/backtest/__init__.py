"""`presage backtest`: how good presage's forecasts of a load would have been, against the naive ones."""
