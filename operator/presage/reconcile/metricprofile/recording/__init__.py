"""What the functions of a MetricProfile record: the document, its way to the pods, and what status tells of it."""
