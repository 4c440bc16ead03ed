"""The server of a simulated Cloud Run, on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc

from scc_responder.workbench.simulated_cloud_run.run_methods import Answered, RunMethods, deserializer, serialized
from scc_responder.workbench.simulated_cloud_run.run_refusals import Refused
from scc_responder.workbench.simulated_cloud_run.run_world import RunWorld

_WORKERS = 8


class SimulatedCloudRun:
    """The services and jobs of `world`, from entering the `with` to leaving it.

    `endpoint` is where it is, `host:port`; `requests` are the methods that were called, in order.
    """

    def __init__(self, world: RunWorld) -> None:
        self.world = world
        self.requests: list[str] = []
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(_WORKERS), options=(("grpc.so_reuseport", 0),))
        for service, methods in RunMethods(world, self._stopping).by_service.items():
            handlers = {name: self._handler(name, method) for name, method in methods.items()}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        self._server.stop(grace=0).wait(5)

    def _handler(self, name: str, method: Answered) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            self._served(name, method.answer),
            request_deserializer=deserializer(method.request),
            response_serializer=serialized,
        )

    def _served(self, name: str, answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def serve(asked: Any, context: Any) -> Any:
            self.requests.append(name)
            try:
                with self.world.lock:
                    self.world.settle()
                    return answer(asked)
            except Refused as refused:
                return context.abort(refused.code, refused.details)

        return serve
