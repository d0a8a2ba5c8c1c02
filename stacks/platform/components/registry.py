"""Which components there are: one for each folder beside this module, and none is listed anywhere."""

import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from .base import Component

HERE = Path(__file__).parent


def components(extra_paths: Sequence[Path] = ()) -> tuple[Component, ...]:
    """Return every component in the order of lists; `extra_paths` are further folders that hold folders of components.

    Raises ValueError for a need that no component meets.
    """
    found = [*_built_in(), *(component for path in extra_paths for component in _outside(path))]
    known = {component.name for component in found}
    for component in found:
        if missing := set(component.needs) - known:
            raise ValueError(f"component {component.name} needs {', '.join(sorted(missing))}, which there is not")
    return tuple(sorted(found, key=_order))


def by_need(selected: Iterable[Component]) -> Iterator[Component]:
    """Yield components after those that they need, else in the order of lists. Raises `graphlib.CycleError`."""
    by_name = {component.name: component for component in selected}
    sorter = TopologicalSorter(
        {name: [need for need in component.needs if need in by_name] for name, component in by_name.items()}
    )
    sorter.prepare()
    while sorter.is_active():
        ready = sorter.get_ready()
        yield from sorted((by_name[name] for name in ready), key=_order)
        sorter.done(*ready)


def _order(component: Component) -> tuple[int, str]:
    return component.position, component.name


@cache
def _built_in() -> tuple[Component, ...]:
    package = __name__.rpartition(".")[0]
    names = [module.name for module in pkgutil.iter_modules([str(HERE)]) if module.ispkg]
    return tuple(_component(f"{package}.{name}") for name in names)


def _outside(path: Path) -> Iterator[Component]:
    for module in pkgutil.iter_modules([str(path)]):
        if module.ispkg:
            folder = path / module.name
            spec = importlib.util.spec_from_file_location(
                module.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
            if spec is None or spec.loader is None:
                raise ValueError(f"{folder} is no package")
            package = importlib.util.module_from_spec(spec)
            sys.modules[module.name] = package
            spec.loader.exec_module(package)
            yield _component(module.name)


def _component(package: str) -> Component:
    found: Component = importlib.import_module(f"{package}.component").COMPONENT
    return found
