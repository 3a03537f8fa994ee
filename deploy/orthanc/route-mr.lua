-- Sends every MR image that Orthanc gets on to the node. Reports and heat maps are of other modalities.
function OnStoredInstance(instanceId, tags, metadata, origin)
  if tags['Modality'] == 'MR' then
    SendToModality(instanceId, 'miqanet')
  end
end
