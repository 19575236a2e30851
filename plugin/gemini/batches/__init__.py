"""The Batch API: the same requests at half the price, answered within a day.

`answers` is the way in, beside `pool` and `stored`. It has `packing` write requests to
a file as `wording` says the SDK would send them, and `keeper` submit that file, look
after the job and fetch its `results`, through `service`. Where each batch stands is
written in the `ledger`, in the journal's file, before and after every step.
"""
