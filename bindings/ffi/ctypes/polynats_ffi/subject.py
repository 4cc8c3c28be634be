"""Subjects and patterns."""

from .core import C, text_in


def valid(subject):
    subject = text_in(subject, "subject")
    return bool(C.nats_subject_valid(subject, len(subject)))


def valid_pattern(pattern):
    pattern = text_in(pattern, "pattern")
    return bool(C.nats_subject_valid_pattern(pattern, len(pattern)))


def matches(pattern, subject):
    pattern, subject = text_in(pattern, "pattern"), text_in(subject, "subject")
    return bool(C.nats_subject_matches(pattern, len(pattern), subject, len(subject)))
