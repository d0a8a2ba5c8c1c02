"""Does in a cluster of simulated pods what operators and the cloud would do, so that what is waited for comes."""

import base64
import http.client
import secrets
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from scripts.lab.kube.api import Api, ApiError, Object

_EVERY_S = 0.5
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_REGISTRATION = "admissionregistration.k8s.io/v1"
_ADDRESS = "203.0.113.10"


class Attendant:
    """Within, it looks at the cluster twice a second and does what is due.

    - An ExternalSecret gets its Secret, owned by it as with `creationPolicy: Owner`; the values are made up.
    - A webhook is taken away: its pods are simulated, so that nobody would answer.
    - A Service of type LoadBalancer gets an address.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attendant", daemon=True)
        self.delivered = 0
        """Secrets made."""
        self.refusals: dict[str, None] = {}
        """What the API refused the attendant, each once."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _attend(self) -> None:
        while not self._end.wait(_EVERY_S):
            self.turn()

    def turn(self) -> None:
        """Look at the cluster once and do what is due."""
        for duty in (self._take_webhooks_away, self._deliver, self._give_addresses):
            self._try(duty)

    def _try(self, duty: Callable[[], None]) -> None:
        try:
            duty()
        except ApiError as error:
            # Before an operator's chart is installed its kinds are unknown.
            if error.status != http.client.NOT_FOUND:
                self.refusals[str(error)] = None
        except (OSError, http.client.HTTPException) as error:
            self.refusals[str(error)] = None

    def _take_webhooks_away(self) -> None:
        for kind in _WEBHOOKS:
            for item in self._api.list(_REGISTRATION, kind):
                self._api.delete(item)

    def _deliver(self) -> None:
        for external in self._api.list("external-secrets.io/v1", "ExternalSecret"):
            try:
                self._api.create(delivered(external))
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
            else:
                self.delivered += 1

    def _give_addresses(self) -> None:
        for service in self._api.list("v1", "Service"):
            if service["spec"].get("type") != "LoadBalancer" or service.get("status", {}).get("loadBalancer"):
                continue
            self._api.patch(
                service, {"status": {"loadBalancer": {"ingress": [{"ip": _ADDRESS}]}}}, subresource="status"
            )


def delivered(external: Object) -> Object:
    """Return the Secret that External Secrets would make of an ExternalSecret, with made-up values."""
    metadata, target = external["metadata"], external["spec"]["target"]
    keys = {entry["secretKey"] for entry in external["spec"].get("data", [])}
    keys |= set((target.get("template") or {}).get("data") or {})
    owner = {
        "apiVersion": external["apiVersion"],
        "kind": external["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": target.get("name") or metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {"reconcile.external-secrets.io/managed": "true"},
            "ownerReferences": [owner],
        },
        "data": {key: base64.b64encode(secrets.token_hex(16).encode()).decode() for key in sorted(keys)},
    }
