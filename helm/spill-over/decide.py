"""What is to be done for models that list several pools, from what the cluster looks like: count, hold, move back.

Plain functions of objects as the Kubernetes API lists them; `run.py` reads those and does what comes out. The plan is
the file that the chart writes: `engines` (name, pools, wanted replica of the place holder), `hours` of the budget or
null, `returnMinutes`, and `shared`, the pools that other models have for themselves or that keep nodes.
"""

from datetime import UTC, datetime, timedelta

POOL = "kubernetes.azure.com/agentpool"
INSTANCE = "app.kubernetes.io/instance"
RUN_GAP = timedelta(minutes=15)
"""Most that is counted at once: between runs further apart the cluster was stopped, and with it its nodes."""
TRY_MINUTES = 20
"""How long a place holder waits for a node of the first pool, image and all, before Azure is taken to have none."""


def moment(text):
    """Return a point in time as the API writes it; None for none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC) if text else None


def written(time):
    """Return a point in time as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def decide(plan, now, before, *, nodes, pods, holders):
    """Return the next state, the evictions and the place holders' replicas.

    `before` is the state of the last run, empty at first; `nodes` and `pods` are lists of the API, `pods` those of the
    engines' namespace, `holders` the place holders' Deployments by name.
    """
    pool_of = {node["metadata"]["name"]: node["metadata"].get("labels", {}).get(POOL) for node in nodes}
    pods_of = {engine["name"]: [pod for pod in pods if _is_of(pod, engine)] for engine in plan["engines"]}
    seconds = _counted(plan, now, before, nodes=nodes, pods_of=pods_of, pool_of=pool_of)
    closed = plan["hours"] is not None and seconds >= plan["hours"] * 3600
    # Pods made right after a change may still have been judged by the state before it.
    settled = before.get("closed", "false") == str(closed).lower()
    evicted, replicas, places = [], {}, {}
    for engine in plan["engines"]:
        name = engine["name"]
        own = pods_of[name]
        held = [pod for pod in own if settled and _stands_wrong(pod, engine, pool_of, closed)]
        evicted += held
        later = [pod for pod in own if pool_of.get(_node(pod)) in engine["pools"][1:]]
        known = before.get("engines", {}).get(name, {})
        wanted, moved, places[name] = _return(plan, now, known, later, holders.get(name, {}), closed=closed)
        evicted += [pod for pod in moved if pod not in held]
        if wanted != holders.get(name, {}).get("spec", {}).get("replicas", 0):
            replicas[name] = wanted
        places[name] |= _place(own, pool_of)
    state = {
        "month": now.strftime("%Y-%m"),
        "seconds": seconds,
        "countedAt": written(now),
        "closed": str(closed).lower(),
        "engines": places,
    }
    return state, evicted, replicas


def _is_of(pod, engine):
    labels = pod["metadata"].get("labels", {})
    return labels.get(INSTANCE) == engine["name"] and not pod["metadata"].get("deletionTimestamp")


def _node(pod):
    return pod["spec"].get("nodeName")


def _counted(plan, now, before, *, nodes, pods_of, pool_of):
    """Return this month's node seconds on later pools: of nodes that run such a model, or are there for none else."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    seconds = before.get("seconds", 0) if before.get("month") == now.strftime("%Y-%m") else 0
    last = moment(before.get("countedAt")) or now
    since = max(last, month, now - RUN_GAP)
    later = {pool for engine in plan["engines"] for pool in engine["pools"][1:]}
    used = {
        _node(pod)
        for engine in plan["engines"]
        for pod in pods_of[engine["name"]]
        if pool_of.get(_node(pod)) in engine["pools"][1:]
    }
    for node in nodes:
        name = node["metadata"]["name"]
        if name in used or pool_of[name] in later - set(plan["shared"]):
            made = moment(node["metadata"].get("creationTimestamp")) or now
            seconds += max(0, int((now - max(since, made)).total_seconds()))
    return seconds


def _stands_wrong(pod, engine, pool_of, closed):
    """Whether the budget asks for another pod: one off the first pool after it is spent, one held there before."""
    pinned = POOL in pod["spec"].get("nodeSelector", {})
    if closed:
        return not pinned and pool_of.get(_node(pod)) != engine["pools"][0]
    return pinned and not _node(pod)


def _return(plan, now, known, later, holder, *, closed):
    """Return the place holder's replicas, the pods to move, and what to remember of it.

    The place holder is a pod that wants a node of the first pool as the engine does. Once it runs, there is room; it
    makes way, and in the next run one of the engine's pods is moved there.
    """
    replicas, ready = holder.get("spec", {}).get("replicas", 0), holder.get("status", {}).get("readyReplicas", 0)
    if not later or closed:
        return 0, [], {}
    since = moment(known.get("laterSince")) or now
    tried = moment(known.get("triedAt"))
    kept = {"laterSince": written(since)}
    if known.get("room") and not replicas:
        return 0, later[:1], kept
    if replicas and ready:
        return 0, [], kept | {"room": True}
    if replicas:
        over = tried is None or now - tried >= timedelta(minutes=TRY_MINUTES)
        return (0 if over else 1), [], kept | {"triedAt": written(tried or now)}
    if now - max(since, tried or since) >= timedelta(minutes=plan["returnMinutes"]):
        return 1, [], kept | {"triedAt": written(now)}
    return 0, [], kept | ({"triedAt": written(tried)} if tried else {})


def _place(own, pool_of):
    """Return where an engine runs or since when it waits, for people."""
    pools = sorted({pool_of[_node(pod)] for pod in own if pool_of.get(_node(pod))}, key=str)
    waiting = sorted(pod["metadata"].get("creationTimestamp", "") for pod in own if not _node(pod))
    return {"runsOn": pools} | ({"waitsSince": waiting[0]} if waiting else {})
