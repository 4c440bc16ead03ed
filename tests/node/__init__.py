"""A real node for tests: kubelet, containerd, runc and Calico in namespaces of one process, which ends them all."""
