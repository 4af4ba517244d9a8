"""The statements of the snapshot side: reading and writing rows of a stream and the bookkeeping around them."""
