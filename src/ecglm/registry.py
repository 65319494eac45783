"""Every place where ecglm can be extended, on one page.

An entry is a name and where to find its object ("module:attribute"), so importing this
module imports nothing else. Recipes and tasks refer to entries by name; they never hold code.
A plug-in adds its own: ``DATASETS.add("mine", "my_package.ecg:bench_items")``.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ecglm.errors import ConfigError


class Registry:
    """Names of one kind of thing, loaded on first use."""

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self.kind = kind
        self._entries: dict[str, Any] = dict(entries)

    def get(self, name: str) -> Any:
        """The object behind a name. Raises ConfigError for an unknown name."""
        if name not in self._entries:
            from ecglm.config import closest

            raise ConfigError(f"{self.kind} {name!r} is unknown; {closest(name, self._entries)}")
        entry = self._entries[name]
        if not isinstance(entry, str):
            return entry
        module, _, attribute = entry.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ModuleNotFoundError, AttributeError) as error:
            raise ConfigError(f"{self.kind} {name!r} cannot be loaded from {entry} ({error})") from error

    def add(self, name: str, target: Any) -> None:
        """Register an object or a "module:attribute" string. Raises ConfigError when the name is taken."""
        if name in self._entries:
            raise ConfigError(f"{self.kind} {name!r} is already registered; choose another name")
        self._entries[name] = target

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)


#: (records.request.Request) -> Record, by the kind that `records.sniff` names, for what is no file of samples.
READERS = Registry("reader", {
    "image": "ecglm.paper.digitize.file:read_image",
})
#: () -> list[BenchItem], by the "dataset" of a task: keyword arguments come from the task's `dataset_args`.
DATASETS = Registry("bench dataset", {
    "ecgqa_ptbxl": "ecglm.corpus.ecgqa:bench_items",
    "ecgqa_official": "ecglm.corpus.ecgqa_official:official_items",
    "findings_ptbxl": "ecglm.corpus.ecgqa:findings_items",
    "findings_ludb": "ecglm.corpus.external:ludb_items",
    "findings_challenge2021": "ecglm.corpus.external:challenge_items",
    "real_and_simulated": "ecglm.corpus.simulated:realism_items",
})
#: () -> a model with score_items that a task brings along (its "subjects"), trained when it is first asked.
SUBJECTS = Registry("bench subject", {
    "real_or_simulated": "ecglm.corpus.simulated:real_or_simulated",
    "trained_on_simulated": "ecglm.corpus.simulated:trained_on_simulated",
    "trained_on_real": "ecglm.corpus.simulated:trained_on_real",
})
#: (**dataset_args, seed, draws, progress) -> ecglm.bench.study.Study, by the "dataset" of a task of kind study.
STUDIES = Registry("study", {
    "delineation": "ecglm.bench.studies.delineation:run",
    "beats": "ecglm.bench.studies.beats:run",
    "reversal": "ecglm.bench.studies.reversal:run",
    "rhythm": "ecglm.bench.studies.rhythm:run",
    "rhythm-spans": "ecglm.bench.studies.rhythm_spans:run",
    "knowledge": "ecglm.bench.studies.knowledge:run",
    "report-narrative": "ecglm.bench.studies.report_narrative:run",
    "report-ptbxl": "ecglm.bench.studies.report:run",
    "intervals": "ecglm.bench.studies.intervals:run",
    "statistics": "ecglm.bench.studies.statistics:run",
    "comparison": "ecglm.bench.studies.comparison:run",
    "strips": "ecglm.bench.studies.strips:run",
    "digitize": "ecglm.bench.studies.digitize:run",
    "dialogue-refutation": "ecglm.bench.studies.dialogue:run",
    "fewshot": "ecglm.training.fewshot.study:run",
    "fewshot-language": "ecglm.training.fewshot.study_language:run",
    "camel": "ecglm.training.curriculum.study:run",
    "camel-ablation": "ecglm.training.curriculum.ablation:run",
    "vision": "ecglm.training.vision.study:run",
    "retrieval": "ecglm.training.contrastive.study_retrieval:run",
    "zeroshot": "ecglm.training.contrastive.study_zeroshot:run",
    "forecast-afpdb": "ecglm.training.forecast.study_afpdb:run",
    "forecast-simulated": "ecglm.training.forecast.study_simulated:run",
    "monitor": "ecglm.training.forecast.study_monitor:run",
})
#: (model's name, folder, limit, seed, draws, progress, **dataset_args) -> (Study, who answered), by the "dataset" of a task of
#: kind protocol: somebody else's benchmark with its own files and rules, run on the model under test.
PROTOCOLS = Registry("protocol", {
    "ecgbench": "ecglm.bench.ecgbench.run:run",
    "ecgbench-ptbxl": "ecglm.bench.ecgbench.ptbxl:run",
    "findings-pages": "ecglm.bench.pages:run",
})
#: (recipe file, overrides, resume, progress) -> Path, by the "kind" of a recipe.
RECIPES = Registry("recipe kind", {
    "language": "ecglm.training.pipeline:run",
    "delineator": "ecglm.training.delineator:run",
    "beat-types": "ecglm.training.beat_types:run",
    "reversal": "ecglm.training.reversal:run",
    "rhythm-spans": "ecglm.training.spans.recipe:run",
    "fewshot": "ecglm.training.fewshot.recipe:run",
    "contrastive": "ecglm.training.contrastive.train:run",
    "curriculum": "ecglm.training.curriculum.pipeline:run",
    "forecaster": "ecglm.training.forecast.recipe:run",
    "fewshot-space": "ecglm.training.fewshot.space:run",
    "vision": "ecglm.training.vision.pipeline:run",
})
#: Few-shot methods (ecglm.training.fewshot.method.Method), by the "methods" of a recipe of kind fewshot.
METHODS = Registry("few-shot method", {
    "averaged": "ecglm.training.fewshot.averaged:Averaged",
    "fomaml": "ecglm.training.fewshot.fomaml:Fomaml",
    "maml": "ecglm.training.fewshot.maml:Maml",
    "anil": "ecglm.training.fewshot.anil:Anil",
    "supervised": "ecglm.training.fewshot.supervised:Supervised",
    "in-context": "ecglm.training.fewshot.in_context:InContext",
    "protonet": "ecglm.training.fewshot.protonet:ProtoNet",
    "linear-probe": "ecglm.training.fewshot.linear_probe:LinearProbe",
})
#: () -> ecglm.training.forecast.baselines.method.Method, by the "forecasters" of the tasks forecast-*; those that learn take a
#: seed and `kept`, a dictionary for what they compute of windows.
FORECASTERS = Registry("forecaster", {
    "chance": "ecglm.training.forecast.baselines.plain:Chance",
    "persistence": "ecglm.training.forecast.baselines.plain:Persistence",
    "logistic": "ecglm.training.forecast.baselines.tabular:Logistic",
    "boosted": "ecglm.training.forecast.baselines.tabular:Boosted",
    "cnn": "ecglm.training.forecast.baselines.cnn:Cnn",
    "course": "ecglm.training.forecast.baselines.course:Course",
    "shipped": "ecglm.training.forecast.baselines.trained:Trained",
})
#: (folder, layer, text) -> unit vectors [T, D] of the text's word pieces, for scores that compare texts.
TEXT_MODELS = Registry("text model", {"hidden-states": "ecglm.models.hidden_states:hidden_states"})
#: (answer, reply, valid answers) -> bool, by the "scoring" of a task.
SCORERS = Registry("scorer", {
    "strict": "ecglm.bench.metrics:strict_match",
    "paper": "ecglm.bench.metrics:paper_match",
})
#: (labels [N], probabilities [N]) -> float, by the "metrics" of a task.
METRICS = Registry("metric", {
    "auroc": "ecglm.bench.metrics:auroc",
    "f1": "ecglm.bench.metrics:f1",
    "ece": "ecglm.bench.metrics:ece",
    "ece_equal_width": "ecglm.bench.metrics:ece_equal_width",
    "brier": "ecglm.bench.metrics:brier",
})
