#!/usr/bin/env python3
"""Run onnx's back-end suite by `rigor onnx-test` and write what came out, by operator and opset.

Usage: onnx_report.py --rigor PATH [--device SELECTOR] [--cases FOLDER] [--output FILE]
Many processes share the cases: one that crashes or hangs costs its case, not the rest. Exit code 1
when a case has failed; the report is written all the same.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import onnx
import onnx_cases

VERDICTS = ("passed", "refused", "failed")
CASES_PER_PROCESS = 200
SECONDS_PER_PROCESS = 600
# Processes in a row that end before their first case does: then it is not the cases' fault.
DEATHS_MAX = 5

LINE = re.compile(r"(passed|refused|failed|broken) +(\S+?)(?:: (.*))?$")
TOTALS = re.compile(r"\d+ passed, \d+ refused, \d+ failed(?:, \d+ broken)? of \d+ on (.*?)(?::|$)")
PLACE = re.compile(
    r'^(?:node \d+(?: "[^"]*")? \(\w+\)|(?:input|output|initializer) "[^"]*"'
    r"|test_data_set_\d+/\w+\.pb): "
)


# MARK: Running


@dataclass
class Result:
    verdict: str
    reason: str


@dataclass
class Process:
    """What one process said, and how it ended."""

    results: list[tuple[str, Result]]
    platform: str
    # Why it ended before its work did; empty where all is well.
    death: str
    # What it had to say about an ending of its own.
    error: str


def run_process(command: list[str]) -> Process:
    death = ""
    try:
        ended = subprocess.run(command, capture_output=True, timeout=SECONDS_PER_PROCESS)
        output, errors = ended.stdout, ended.stderr
        if ended.returncode not in (0, 1):
            death = f"the process ended with code {ended.returncode}"
    except subprocess.TimeoutExpired as expired:
        output, errors = expired.stdout or b"", expired.stderr or b""
        death = f"no end after {SECONDS_PER_PROCESS} seconds"
    results, platform = [], ""
    for line in output.decode(errors="replace").splitlines():
        if found := LINE.match(line):
            verdict, name, reason = found.groups()
            # The suite's own files are whole: what cannot be read here is ours to mend.
            verdict = "failed" if verdict == "broken" else verdict
            results.append((name, Result(verdict, reason or "")))
        elif found := TOTALS.match(line):
            platform = found[1]
    text = errors.decode(errors="replace")
    error = next((line for line in text.splitlines() if line.startswith("error: ")), "")
    # A crash says itself on standard error why it is one.
    if death and (last := [line for line in text.splitlines() if "atal error" in line]):
        death += ": " + last[0].strip()
    return Process(results, platform, death, error)


def run_cases(
    rigor: str, device: str | None, folder: str, names: list[str]
) -> tuple[dict[str, Result], str]:
    """Every case's result, and the platform of the device that gave them."""
    results: dict[str, Result] = {}
    platform, deaths = "", 0
    pending = list(names)
    with tempfile.TemporaryDirectory() as work:
        listed = os.path.join(work, "names.txt")
        command = [rigor, "onnx-test", folder, "--list", listed, "--verbose"]
        command += ["--device", device] if device else []
        while pending:
            chunk = pending[:CASES_PER_PROCESS]
            with open(listed, "w") as file:
                file.write("".join(name + "\n" for name in chunk))
            process = run_process(command)
            platform = process.platform or platform
            done = [name for name, _ in process.results]
            if done != chunk[: len(done)]:
                sys.exit(f"error: results of other cases than those asked for: {done[:3]}")
            results.update(process.results)
            pending = pending[len(done) :]
            deaths = 0 if done else deaths + 1
            if len(done) == len(chunk):
                continue
            if deaths >= DEATHS_MAX or not (process.death or done):
                sys.exit(process.error or f"error: {process.death or 'no case ended'}")
            if process.death:
                results[pending.pop(0)] = Result("failed", process.death)
            print(f"{len(results)} of {len(names)}: {process.death or process.error}")
    return results, platform


# MARK: Operators


@dataclass(frozen=True, order=True)
class Operator:
    domain: str
    name: str


def schemas() -> dict[Operator, list[int]]:
    """The opsets in which each operator's schema changed, ascending."""
    versions = collections.defaultdict(set)
    for schema in onnx.defs.get_all_schemas_with_history():
        versions[Operator(schema.domain or "ai.onnx", schema.name)].add(schema.since_version)
    return {operator: sorted(found) for operator, found in sorted(versions.items())}


def opset(model: onnx.ModelProto, domain: str) -> int | None:
    for entry in model.opset_import:
        if (entry.domain or "ai.onnx") == domain:
            return entry.version
    return None


@dataclass
class Case:
    name: str
    operator: Operator
    # The opset in which the operator got the schema that the case is for.
    since: int
    is_expanded: bool


def classify(suite: list, versions: dict[Operator, list[int]]) -> list[Case]:
    """Which operator each case is for: its one node's, or the one that its nodes expand."""
    models = {case.name: case.model for case in suite}
    cases = []
    for name, model in sorted(models.items()):
        base, expanded, _ = name.partition("_expanded")
        (node,) = models[base].graph.node
        operator = Operator(node.domain or "ai.onnx", node.op_type)
        # A function's nodes need not import the domain that it is of.
        imported = opset(model, operator.domain) or opset(models[base], operator.domain)
        since = max(version for version in versions[operator] if version <= imported)
        cases.append(Case(name, operator, since, bool(expanded)))
    return cases


# MARK: Report


def table(header: list[str], rows: list[list[str]], numbers: set[int]) -> list[str]:
    rule = ["---:" if column in numbers else "---" for column in range(len(header))]
    return ["| " + " | ".join(row) + " |" for row in [header, rule, *rows]]


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def counts(cases: list[Case], results: dict[str, Result]) -> list[int]:
    found = collections.Counter(results[case.name].verdict for case in cases)
    return [found[verdict] for verdict in VERDICTS]


def number_cells(cases: list[Case], results: dict[str, Result]) -> list[str]:
    """A count for each verdict, and those of the expanded cases in one cell."""
    plain = [case for case in cases if not case.is_expanded]
    expanded = [case for case in cases if case.is_expanded]
    cells = [str(count or "") for count in counts(plain, results)]
    return cells + [" / ".join(map(str, counts(expanded, results))) if expanded else ""]


def totals(cases: list[Case], results: dict[str, Result]) -> list[str]:
    rows = []
    for title, part in (
        ("operators", [case for case in cases if not case.is_expanded]),
        ("expanded functions", [case for case in cases if case.is_expanded]),
        ("all", cases),
    ):
        rows.append([title, str(len(part)), *map(str, counts(part, results))])
    return table(["Cases", "Count", *map(str.capitalize, VERDICTS)], rows, {1, 2, 3, 4})


def operators(
    cases: list[Case], results: dict[str, Result], versions: dict[Operator, list[int]]
) -> list[str]:
    by_schema = collections.defaultdict(list)
    for case in cases:
        by_schema[case.operator, case.since].append(case)
    rows = [
        [operator.name, operator.domain, str(since)]
        + number_cells(by_schema[operator, since], results)
        for operator in versions
        for since in versions[operator]
        if (operator, since) in by_schema
    ]
    header = ["Operator", "Domain", "Since", *map(str.capitalize, VERDICTS), "Expanded"]
    return table(header, rows, {2, 3, 4, 5, 6})


def without_case(cases: list[Case], versions: dict[Operator, list[int]]) -> list[str]:
    tried = {(case.operator, case.since) for case in cases}
    by_domain = collections.defaultdict(list)
    for operator, since in versions.items():
        missing = [str(version) for version in since if (operator, version) not in tried]
        if missing:
            by_domain[operator.domain].append(f"- {operator.name} {', '.join(missing)}")
    lines = []
    for domain, names in by_domain.items():
        lines += [f"{domain}:", "", *names, ""]
    return lines[:-1]


def refusals(cases: list[Case], results: dict[str, Result]) -> list[str]:
    groups = collections.defaultdict(list)
    for case in cases:
        if results[case.name].verdict == "refused":
            reason = results[case.name].reason
            while place := PLACE.match(reason):
                reason = reason[place.end() :]
            groups[reason].append(case)
    rows = []
    for reason, refused in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        names = ", ".join(sorted({case.operator.name for case in refused}))
        rows.append([str(len(refused)), cell(reason), names])
    return table(["Cases", "Reason", "Operators"], rows, {0})


def failures(cases: list[Case], results: dict[str, Result]) -> list[str]:
    rows = [
        [case.name, cell(results[case.name].reason)]
        for case in cases
        if results[case.name].verdict == "failed"
    ]
    return table(["Case", "What went wrong"], rows, set()) if rows else ["None."]


def drawn(cases: list[Case], results: dict[str, Result]) -> list[str]:
    names = [
        f"- {case.name}"
        for case in cases
        if results[case.name].verdict == "passed" and results[case.name].reason
    ]
    return names or ["None."]


def report(cases: list[Case], results: dict[str, Result], platform: str) -> str:
    versions = schemas()
    lines = [
        "# ONNX coverage",
        "",
        f"The node cases of the back-end suite in onnx {onnx.__version__}, run by",
        f"`make onnx-report` on {platform}. A case passes when every output",
        "has the expected type and shape, integers equal and other numbers within the suite's",
        "tolerance (0.001 of the number and 1e-7); it is refused when the program says by name",
        "what it does not compute; it has failed otherwise.",
        "",
        *totals(cases, results),
        "",
        "## Operators",
        "",
        "A row for each opset in which the operator's schema changed and for which the suite has",
        "cases. Many operators are also functions of others: `Expanded` are the same cases with",
        "the operator replaced by its function's nodes, passed / refused / failed.",
        "",
        *operators(cases, results, versions),
        "",
        "## Refused",
        "",
        *refusals(cases, results),
        "",
        "## Failed",
        "",
        *failures(cases, results),
        "",
        "## Random",
        "",
        "These pass by the types and shapes of their outputs; of Bernoulli and Dropout numbers that",
        "are 0 in neither are compared, too. What is expected there was drawn by NumPy.",
        "",
        *drawn(cases, results),
        "",
        "## Without a case",
        "",
        "Operators, and the opsets that changed them for which the suite has no case.",
        "",
        *without_case(cases, versions),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rigor", required=True)
    parser.add_argument("--device")
    parser.add_argument("--cases", default=".build/onnx-cases")
    parser.add_argument("--output", default="docs/onnx-coverage.md")
    options = parser.parse_args()
    suite = onnx_cases.generate(options.cases)
    cases = classify(suite, schemas())
    names = [case.name for case in cases]
    results, platform = run_cases(options.rigor, options.device, options.cases, names)
    with open(options.output, "w") as file:
        file.write(report(cases, results, platform))
    numbers = counts(cases, results)
    print(", ".join(f"{n} {verdict}" for n, verdict in zip(numbers, VERDICTS)), end="")
    print(f" of {len(cases)}; see {options.output}")
    return 1 if numbers[VERDICTS.index("failed")] else 0


if __name__ == "__main__":
    sys.exit(main())
