"""The world of the local Cloud Run: it is that of the simulated one, which the demo plays."""

from scc_responder.workbench.simulated_cloud_run.run_refusals import Refused, completed_as, condition
from scc_responder.workbench.simulated_cloud_run.run_refusals import time_of_objects as now
from scc_responder.workbench.simulated_cloud_run.run_world import LATEST, UPDATABLE
from scc_responder.workbench.simulated_cloud_run.run_world import RunWorld as World

__all__ = ["LATEST", "UPDATABLE", "Refused", "World", "completed_as", "condition", "now"]
