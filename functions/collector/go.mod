module scc-responder/collector

go 1.24
