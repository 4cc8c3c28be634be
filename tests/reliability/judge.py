"""How figures are judged, and told."""

from workers import Failed


def check(condition, text):
    if not condition:
        raise Failed(text)


def each(workers, judge):
    """Judge every worker, also after one that failed."""
    failures = []
    for worker in workers:
        try:
            judge(worker)
        except Failed as problem:
            failures.append("%s: %s" % (worker.language, problem))
    check(not failures, "; ".join(failures))


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * part // 100)] if values else 0.0


def in_words(facts):
    return " ".join(
        "%s=%.3f" % pair if isinstance(pair[1], float) and pair[1] % 1 else "%s=%d" % pair
        for pair in facts.items()
    )


def tell(test, language, **facts):
    print("%s %s: %s" % (test, language, in_words(facts)), flush=True)
