-- How many records are set aside at present.
select count(*) from pipeline.set_aside_record
