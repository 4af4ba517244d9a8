-- Each stream: when it was last read whole, and the oldest reading that somebody's facts rest on; null: never read.
select
    stream_state.stream,
    case
        when stream_state.stream = 'pay_method'
            then (select min(pay_method_reading.read_at) from pipeline.pay_method_reading)
        when stream_state.stream = 'balance'
            then (select min(balance_reading.read_at) from pipeline.balance_reading)
        else stream_state.read_at
    end as oldest_at
from pipeline.stream_state
order by stream_state.stream
