// What runs in the pods of the real node, and the server outside it.
module example.com/scc-responder/workload

go 1.24
