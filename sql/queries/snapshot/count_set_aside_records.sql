-- How many records are refused at present.
select count(*) from pipeline.refused_record;
