"""The Batch API: the same requests at half the price, answered within a day.

`answers` is the way in, beside `pool` and `stored`. It has `dispatch` put requests into
files (`packing`), worded as the SDK would send them (`wording`), and `keeper` submit a
file, look after its job and have its `results` fetched (`fetching`), all of it by
`service`. Where each batch stands is written in the `ledger`, in the journal's file,
before and after every step.
"""
