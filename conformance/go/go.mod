module presage.dev/conformance

go 1.22
