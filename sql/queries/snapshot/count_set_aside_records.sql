-- How many records are refused at present.
select count(*) from pipeline.set_aside_record;
