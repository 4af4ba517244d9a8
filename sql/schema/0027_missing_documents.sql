-- The shadow check also finds documents that are missing, and rules that raise where they did not before.

comment on column pipeline.document_difference.paths is 'Where the two documents differ, such as summary.stats.amountDue, which names the rule; document where one of them is missing; or what raised and where.';
comment on column pipeline.document_difference.stored is 'The document as it was served; null where there was none.';
comment on column pipeline.document_difference.computed is 'The document computed anew; null where there should be none, or where its rules raised.';
