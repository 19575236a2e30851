"""One run on many machines: a manifest, segments of replies, and one merge.

    plan -> manifest -> work (a shard each, anywhere) -> segments -> merge -> labels

A worker needs neither FiftyOne nor a database; `beam` runs the shards on Apache Beam.
"""
