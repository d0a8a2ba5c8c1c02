"""Whether the weights of the listed models can be had from Hugging Face, gated ones too, and from Ollama's registry.

The nodes download, this machine only looks; what it cannot reach is not known, and is said.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import httpx

from stacks.settings.models import Engine, ModelSettings

from ..findings import Finding, NotCheckedError
from ..surroundings import Surroundings

HUB = "https://huggingface.co"
OLLAMA = "https://registry.ollama.ai"
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_NEVER = "its engine never gets ready, and restarts again and again"
_AT_ONCE = 8


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield each model that cannot be downloaded. Raises NotCheckedError with those that are not known."""

    def one(model: ModelSettings) -> tuple[list[Finding], str]:
        found: list[Finding] = []
        try:
            for finding in _of[model.engine](asked, model):
                found.append(finding)
        except NotCheckedError as error:
            return found, str(error)
        return found, ""

    models = asked.settings.models
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = list(pool.map(one, models))
    for findings, _ in answers:
        yield from findings
    unknown: defaultdict[str, list[str]] = defaultdict(list)
    for model, (_, why) in zip(models, answers, strict=True):
        if why:
            unknown[why].append(model.name)
    if unknown:
        raise NotCheckedError("; ".join(f"{', '.join(names)}: {why}" for why, names in unknown.items()))


def _of_vllm(asked: Surroundings, model: ModelSettings) -> Iterator[Finding]:
    """Look at the model's weights, and at those of its adapters and of what guesses for it."""
    key, unknown = f"models.{model.name}", []
    repositories = [(key, model.id, model.revision or "main")]
    repositories += [(f"{key}.lora.{adapter.name}", adapter.id, adapter.revision) for adapter in model.lora]
    if (guessing := model.speculative) and guessing.id:
        repositories.append((f"{key}.speculative", guessing.id, guessing.revision or "main"))
    for place, repository, revision in repositories:
        try:
            yield from _hugging_face(asked, place, repository, revision)
        except NotCheckedError as error:
            unknown.append(str(error))
    if unknown:
        raise NotCheckedError("; ".join(dict.fromkeys(unknown)))


def _hugging_face(asked: Surroundings, key: str, repository: str, revision: str) -> Iterator[Finding]:
    token = next((asked.variables[name] for name in TOKEN_VARIABLES if asked.variables.get(name)), "")
    answer = asked.web.ask(f"{HUB}/api/models/{repository}/revision/{revision}", token=token)
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        missing = (
            f"no revision {revision} of {repository}" if _code(answer) == "RevisionNotFound" else f"no {repository}"
        )
        yield Finding(
            f"{key}: Hugging Face has {missing}, or it is private",
            _NEVER,
            f"correct id and revision ({HUB}/{repository}); a private one needs {TOKEN_VARIABLES[0]} here and"
            " serving.hugging_face_token: true",
        )
        return
    if answer.status_code == HTTPStatus.FORBIDDEN and _code(answer) == "GatedRepo":
        yield _no_access(key, repository, token)
        return
    _require_ok(answer, HUB)
    if not _field(answer, "gated"):
        return
    if not asked.settings.serving.hugging_face_token:
        yield Finding(
            f"{key}: {repository} is gated, and serving.hugging_face_token is off",
            f"Hugging Face refuses the download (401), {_NEVER}",
            "write serving.hugging_face_token: true and the secret: az keyvault secret set --vault-name"
            f" {asked.settings.azure_names.key_vault} --name hugging-face-token --file FILE",
        )
        return
    if not token:
        raise NotCheckedError(f"{repository} is gated; export {TOKEN_VARIABLES[0]} to have its access looked at")
    access = asked.web.ask(f"{HUB}/{repository}/resolve/{revision}/config.json", method="HEAD", token=token)
    if access.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        yield _no_access(key, repository, token)


def _no_access(key: str, repository: str, token: str) -> Finding:
    whose = f"the account of {TOKEN_VARIABLES[0]}" if token else "nobody without an account"
    return Finding(
        f"{key}: {repository} is gated, and {whose} has no access",
        f"Hugging Face refuses the download (403), {_NEVER}",
        f"accept its terms with the token's account: {HUB}/{repository}",
    )


def _ollama(asked: Surroundings, model: ModelSettings) -> Iterator[Finding]:
    name, _, tag = model.id.partition(":")
    if "." in name.split("/")[0] and "/" in name:
        raise NotCheckedError(f"{model.id} comes from another registry than Ollama's")
    repository = name if "/" in name else f"library/{name}"
    answer = asked.web.ask(f"{OLLAMA}/v2/{repository}/manifests/{tag or 'latest'}", accept=_MANIFEST)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        yield Finding(
            f"models.{model.name}: Ollama's registry has no {model.id}",
            "the Job that downloads models fails, and with it the deployment",
            f"correct its id: https://ollama.com/library/{name}/tags",
        )
        return
    _require_ok(answer, OLLAMA)


_of: dict[Engine, Callable[[Surroundings, ModelSettings], Iterator[Finding]]] = {
    Engine.VLLM: _of_vllm,
    Engine.OLLAMA: _ollama,
}


def _code(answer: httpx.Response) -> str:
    return str(answer.headers.get("X-Error-Code", ""))


def _field(answer: httpx.Response, name: str) -> object:
    try:
        return dict(answer.json()).get(name)
    except (ValueError, TypeError):
        raise NotCheckedError(f"{answer.url.host} answers with something else than JSON") from None


def _require_ok(answer: httpx.Response, where: str) -> None:
    if not answer.is_success and not answer.is_redirect:
        raise NotCheckedError(f"{httpx.URL(where).host} answers with status {answer.status_code}")
