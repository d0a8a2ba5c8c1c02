"""Sends a trace of every call to Opik, the failed ones too, with the chat it belongs to and which key called.

In place of LiteLLM's own callback, which sees successes alone, forgets what Opik does not take, and sends name, address
and account of whoever writes in Open WebUI along. Of a chat nothing leaves here that its writer wrote or read, unless
TRACE_CHATS says so; of no call anything that names a person. Traces go to the project of the key's team.

LiteLLM loads `platform` from beside its configuration (`litellm_settings.callbacks: [tracing.platform]`).

Environment: OPIK_URL_OVERRIDE (without it nothing is sent), TRACES_FOLDER and TRACES_LIMIT_MIB (for what waits on disk
while Opik is away), and those of `call_texts` and `trace_items`.
"""

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from call_texts import OPEN_WEBUI, WITHOUT_TEXTS, NoTexts, forget_people, headers_of, with_texts
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.opik.opik_payload_builder import build_opik_payload
from prometheus_client import Counter, Gauge
from trace_items import failure, fit, own_metadata, project
from trace_spool import Item, TraceSpool

SEND_EVERY_S = 5
SEND_TIMEOUT_S = 10
LAST_SEND_S = 15
"""How long the end of the process waits for the last traces."""
KINDS = ("traces", "spans")
"""In the order in which they are sent."""
LATER = {408, 425, 429}
"""Answers below 500 that ask for another attempt."""

LOST = Counter("platform_traces_lost", "Traces and spans that never reach Opik", ["reason"])
WAITING = Gauge("platform_trace_batches_waiting", "Batches on disk, for Opik", multiprocess_mode="livemax")

log = logging.getLogger("platform.tracing")
LITELLM_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")


class PlatformTracing(CustomLogger):
    """Collects traces, sends them every few seconds, and keeps on disk what Opik does not take."""

    def __init__(self) -> None:
        super().__init__()
        self._url = os.environ.get("OPIK_URL_OVERRIDE")
        folder = Path(os.environ.get("TRACES_FOLDER") or Path(tempfile.gettempdir()) / "traces")
        self._spool = TraceSpool(folder, int(os.environ.get("TRACES_LIMIT_MIB", "256")) * 2**20)
        self._new: list[Item] = []
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        for reason in ("refused", "no room", "unreadable"):
            # Shown as zero from the start: a counter that appears with its first loss has no increase.
            LOST.labels(reason)

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Note chat, key and team in the metadata that becomes a trace, unless the caller says otherwise."""
        del cache, call_type
        headers = (data.get("proxy_server_request") or {}).get("headers") or {}
        for known in (headers, *(headers_of(data.get(name)) for name in ("metadata", "litellm_metadata"))):
            forget_people(known)
        WITHOUT_TEXTS.set(not with_texts(user_api_key_dict.key_alias, headers))
        metadata = data.get("metadata")
        if not isinstance(metadata, dict):
            metadata = data["metadata"] = {}
        noted = dict(metadata.get("opik") or {})
        if chat := headers.get(f"{OPEN_WEBUI}chat-id"):
            noted.setdefault("thread_id", chat)
        callers = (user_api_key_dict.key_alias, user_api_key_dict.team_alias)
        noted["tags"] = [*noted.get("tags", []), *(name for name in callers if name)]
        metadata["opik"] = noted
        return data

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Collect the trace of an answered call."""
        if not self._url or not kwargs.get("standard_logging_object"):
            return
        try:
            trace, span = build_opik_payload(kwargs, response_obj, start_time, end_time, project())
        except (AttributeError, KeyError, TypeError) as error:
            # Answers of some kinds say nothing of tokens.
            log.warning("a call of kind %s is not traced: %r", kwargs.get("call_type"), error)
            LOST.labels("unreadable").inc()
        else:
            record = kwargs["standard_logging_object"]
            own = own_metadata(kwargs)
            self._collect(
                trace and fit(dict(trace.__dict__), kwargs, record, own), fit(dict(span.__dict__), kwargs, record, own)
            )

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Collect the trace of a failed call."""
        del response_obj
        record = kwargs.get("standard_logging_object")
        # Without a provider no engine was called: a wrong key or name, which anybody could fill the traces with.
        if self._url and record and record.get("custom_llm_provider"):
            trace, span = failure(kwargs, record, start_time, end_time)
            own = own_metadata(kwargs)
            self._collect(trace and fit(trace, kwargs, record, own), fit(span, kwargs, record, own))

    def _collect(self, trace: dict[str, Any] | None, span: dict[str, Any]) -> None:
        self._new += [("traces", trace)] if trace else []
        self._new.append(("spans", span))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send_regularly())

    async def _send_regularly(self) -> None:
        try:
            while True:
                await asyncio.sleep(SEND_EVERY_S)
                await self.flush()
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.flush(), LAST_SEND_S)
            raise

    async def flush(self) -> None:
        """Send what waits on disk, then what is new; keep on disk what cannot be sent now."""
        async with self._sending:
            batch, self._new = self._new, []
            async with httpx.AsyncClient(base_url=str(self._url), timeout=SEND_TIMEOUT_S) as opik:
                # In their order, and without a second attempt while the first says that Opik is away.
                left = batch if not await self._send_waiting(opik) else await _send(opik, batch)
            if left:
                self._keep(left)
            WAITING.set(self._spool.count())

    async def _send_waiting(self, opik: httpx.AsyncClient) -> bool:
        for path, batch in self._spool.batches():
            if await _send(opik, batch):
                return False
            path.unlink()
        return True

    def _keep(self, batch: list[Item]) -> None:
        try:
            dropped = self._spool.put(batch)
        except OSError as error:
            log.warning("traces cannot wait on disk: %s", error)
            dropped = len(batch)
        LOST.labels("no room").inc(dropped)


async def _send(opik: httpx.AsyncClient, batch: list[Item]) -> list[Item]:
    """Return what has to be sent once more."""
    for position, kind in enumerate(KINDS):
        items = [item for k, item in batch if k == kind]
        if items and await _waits(opik, kind, items):
            return [(k, item) for k, item in batch if k in KINDS[position:]]
    return []


async def _waits(opik: httpx.AsyncClient, kind: str, items: list[dict[str, Any]]) -> bool:
    """Send items of one kind and tell whether they have to wait; what Opik refuses for good is counted as lost."""
    known = [{key: value for key, value in item.items() if value is not None} for item in items]
    body = json.dumps({kind: known}, default=str)
    try:
        answer = await opik.post(
            f"/v1/private/{kind}/batch", content=body, headers={"Content-Type": "application/json"}
        )
    except httpx.HTTPError as error:
        log.warning("%d %s wait: %s", len(items), kind, str(error) or type(error).__name__)
        return True
    if answer.status_code >= 500 or answer.status_code in LATER:
        log.warning("%d %s wait: Opik answers %d", len(items), kind, answer.status_code)
        return True
    if answer.is_error:
        log.warning("%d %s are lost: Opik answers %d %s", len(items), kind, answer.status_code, answer.text[:300])
        LOST.labels("refused").inc(len(items))
    return False


platform = PlatformTracing()
for _name in LITELLM_LOGGERS:
    logging.getLogger(_name).addFilter(NoTexts())
