"""One module a kind: gather → decide → apply. Knows neither kopf nor any client library."""
